import { useState } from "react";

const nameOf = (of: string) => `journeyman.draft.${of}`;

function read(of: string): string {
  try {
    return sessionStorage.getItem(nameOf(of)) ?? "";
  } catch {
    return "";
  }
}

/** A text that is being written: it outlives a reload, and a login that has to come between. */
export function useDraft(of: string): [string, (text: string) => void] {
  const [text, setText] = useState(() => read(of));
  const edit = (next: string) => {
    setText(next);
    try {
      if (next) sessionStorage.setItem(nameOf(of), next);
      else sessionStorage.removeItem(nameOf(of));
    } catch {
      // Then the draft lasts as long as the page.
    }
  };
  return [text, edit];
}
