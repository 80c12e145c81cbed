import { once } from "node:events";
import WS from "ws";

const opened = [];

/** A browser's WebSocket, as far as k6 has it. */
export class WebSocket extends WS {
  constructor(url) {
    super(url);
    opened.push(once(this, "close"));
  }
}

/** Resolves when every socket that was opened is closed; rejects if one failed. */
export const allClosed = () => Promise.all(opened);
