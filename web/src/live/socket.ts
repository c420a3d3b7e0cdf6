import { ticket } from "../api/login";
import type { Socket } from "./client";

/** The gateway's socket. A ticket is fetched first: the cookie alone opens none, as a page of another site could bring it. */
export function openSocket(): Socket {
  const made: Socket & { inner: WebSocket | null; over: boolean } = {
    onopen: null,
    onmessage: null,
    onclose: null,
    inner: null,
    over: false,
    send: (text) => made.inner?.send(text),
    close: () => {
      made.over = true;
      made.inner?.close();
    },
  };
  ticket().then(
    (secret) => {
      if (made.over) return;
      const scheme = location.protocol === "https:" ? "wss" : "ws";
      made.inner = new WebSocket(`${scheme}://${location.host}/ws?ticket=${encodeURIComponent(secret)}`);
      made.inner.onopen = () => made.onopen?.();
      made.inner.onmessage = (event) => made.onmessage?.({ data: String(event.data) });
      made.inner.onclose = () => made.onclose?.();
    },
    () => made.onclose?.(),
  );
  return made;
}
