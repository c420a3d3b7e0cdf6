import { useEffect } from "react";

/** The tab's title and icon: how many tasks wait for a person comes first. */
export function useTitle(title: string, waiting: number): void {
  useEffect(() => {
    document.title = waiting > 0 ? `(${waiting}) ${title}` : title;
    const icon = document.querySelector<HTMLLinkElement>('link[rel="icon"]');
    if (icon) icon.href = waiting > 0 ? "/favicon-needs-you.svg" : "/favicon.svg";
  }, [title, waiting]);
}
