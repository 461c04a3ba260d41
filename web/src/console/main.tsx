import { render } from "preact";
import bn from "../messages/console.bn.json";
import en from "../messages/console.en.json";
import sharedBn from "../messages/shared.bn.json";
import sharedEn from "../messages/shared.en.json";
import "../shared/styles.css";
import "./console.css";
import { texts } from "../shared/i18n.ts";
import { useTheme } from "../shared/theme.ts";
import { App } from "./app.tsx";

texts({ ...sharedBn, ...bn }, { ...sharedEn, ...en });
useTheme();
const root = document.getElementById("app");
if (root) render(<App />, root);
