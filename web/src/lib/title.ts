import { useEffect } from "react";
import { REPLAY } from "../api/replay";
import { t } from "../i18n";
import { visible } from "./visible";

/** The tab's title and icon: how many tasks wait for a person comes first. */
export function useTitle(title: string, waiting: number): void {
  useEffect(() => {
    const shown = visible(REPLAY ? t("title.replay", { title }) : title);
    document.title = waiting > 0 ? `(${waiting}) ${shown}` : shown;
    const icon = document.querySelector<HTMLLinkElement>('link[rel="icon"]');
    if (icon) icon.href = waiting > 0 ? "/favicon-needs-you.svg" : "/favicon.svg";
  }, [title, waiting]);
}
