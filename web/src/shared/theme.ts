/** Light, dark, or as the device has it. */
import { emit } from "./store.ts";

const KEY = "smartmarket.theme";
export type Theme = "auto" | "light" | "dark";

export const theme = (): Theme => (localStorage.getItem(KEY) as Theme | null) ?? "auto";

export function useTheme(chosen: Theme = theme()): void {
  localStorage.setItem(KEY, chosen);
  if (chosen === "auto") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = chosen;
  emit();
}
