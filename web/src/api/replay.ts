/**
 * The session of `journeyman replay` that this page was opened for (`?replay=…`), or empty: then everything is live.
 * It holds for as long as the page does; the way back to the live view loads another page.
 */
export const REPLAY: string = new URLSearchParams(globalThis.location?.search ?? "").get("replay") ?? "";
