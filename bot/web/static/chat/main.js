// The chat: what the person sees on one side, the line to the server on the other.

import { Line } from "./line.js";
import { Store } from "./store.js";
import { View } from "./view.js";
import { languageOf, WORDS } from "./words.js";

export function start(host, { base, mode, language, name }) {
  const words = WORDS[languageOf(language || navigator.language)];
  const store = new Store(base);
  const isPage = mode === "page";
  const view = new View(host, { name, words, isPage, read: store.read });
  const line = new Line(socketAddress(base), store, {
    reset: () => view.reset(),
    state: (state) => view.showState(state),
    message: (frame) => view.showMessage(frame),
    pending: (text) => view.showPending(text),
    typing: () => view.showTyping(),
  });
  view.listen({
    say: (text) => line.say(text),
    opened: () => line.wake(),
    typing: () => line.typing(),
    read: (number) => { store.read = number; },
  });
  store.whenAnotherTabBegins((session) => line.adopt(session));
  line.restore();
  // A stranger who never opens the chat costs nothing; somebody who wrote before may have an answer waiting.
  if (isPage || store.session) line.wake();
  if (isPage) view.open();
}

function socketAddress(base) {
  const address = new URL("../connectors/webchat/ws", base);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  return address.href;
}
