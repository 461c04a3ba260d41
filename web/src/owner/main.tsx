import { render } from "preact";
import bn from "../messages/owner.bn.json";
import en from "../messages/owner.en.json";
import sharedBn from "../messages/shared.bn.json";
import sharedEn from "../messages/shared.en.json";
import "../shared/styles.css";
import { texts } from "../shared/i18n.ts";
import { useTheme } from "../shared/theme.ts";
import { App } from "./app.tsx";
import { watch } from "./queue.ts";

texts({ ...sharedBn, ...bn }, { ...sharedEn, ...en });
useTheme();
watch();
const root = document.getElementById("app");
if (root) render(<App />, root);
if ("serviceWorker" in navigator && import.meta.env.PROD) void navigator.serviceWorker.register("/sw.js");
