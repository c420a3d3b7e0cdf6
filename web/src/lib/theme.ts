import { useSyncExternalStore } from "react";

export type Theme = "system" | "light" | "dark";

/** public/theme.js reads the same name before the first paint. */
const STORED = "journeyman.theme";
const system = () => matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set<() => void>();

function read(): Theme {
  try {
    const stored = localStorage.getItem(STORED);
    return stored === "light" || stored === "dark" ? stored : "system";
  } catch {
    return "system";
  }
}

let choice: Theme | undefined;
const current = (): Theme => {
  choice ??= read();
  return choice;
};

function apply(): void {
  const theme = current();
  const dark = theme === "dark" || (theme === "system" && system().matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  for (const listener of listeners) listener();
}

export function setTheme(theme: Theme): void {
  choice = theme;
  try {
    localStorage.setItem(STORED, theme);
  } catch {
    // The choice then lasts as long as the page.
  }
  apply();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  const preference = system();
  preference.addEventListener("change", apply);
  return () => {
    listeners.delete(listener);
    preference.removeEventListener("change", apply);
  };
}

export const useTheme = (): Theme => useSyncExternalStore(subscribe, current);
