// The line to the server: connects again by itself, and sends each text until it is stored, once.

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;
const ANSWER_MS = 10_000;
const TYPING_EVERY_MS = 60_000;
const CLOSED_AS_IDLE = 4408;

export class Line {
  #address;
  #store;
  #tell;
  #socket = null;
  #session;
  #lastSeen = null;
  #isOpen = false;
  #isWanted = false;
  #tries = 0;
  #reconnecting = 0;
  #patience = 0;
  #resending = 0;
  #typedAt = 0;
  /** Texts that are not stored yet, in order; only the first is ever on its way. */
  #queue = [];

  constructor(address, store, tell) {
    [this.#address, this.#store, this.#tell, this.#session] = [address, store, tell, store.session];
    addEventListener("online", () => this.#isWanted && this.#connectNow());
    addEventListener("offline", () => this.#tell.state("offline"));
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible" && this.#isWanted) this.wake();
    });
  }

  /** Connects, now and for as long as the page lives. */
  wake() {
    this.#isWanted = true;
    if (!this.#socket) this.#connectNow();
  }

  /** Shows what an earlier life of this tab could not send. */
  restore() {
    this.#queue = this.#store.unsent;
    for (const text of this.#queue) this.#tell.pending({ ...text, state: "sending" });
    if (this.#queue.length) this.wake();
  }

  say(text) {
    const one = { id: newId(), text, at: new Date().toISOString() };
    this.#queue.push(one);
    this.#store.unsent = this.#queue;
    this.#tell.pending({ ...one, state: "sending" });
    this.wake();
    if (this.#queue.length === 1) this.#sendFirst();
  }

  typing() {
    if (!this.#isOpen || Date.now() - this.#typedAt < TYPING_EVERY_MS) return;
    this.#typedAt = Date.now();
    this.#send({ type: "typing" });
  }

  /** Another tab of this site began a session: this one joins it. */
  adopt(session) {
    if (session === this.#session) return;
    this.#session = session;
    this.#forget();
    if (this.#isWanted) this.#connectNow();
  }

  // --- connecting ---

  #connectNow() {
    clearTimeout(this.#reconnecting);
    this.#drop();
    this.#tell.state("connecting");
    const socket = new WebSocket(this.#address);
    this.#socket = socket;
    socket.onopen = () => this.#send({ type: "hello", session: this.#session || null, last_seen: this.#lastSeen });
    socket.onmessage = (event) => this.#hear(JSON.parse(event.data));
    socket.onclose = (event) => this.#lost(event.code);
    this.#expectAnswer();
  }

  #drop() {
    clearTimeout(this.#patience);
    clearTimeout(this.#resending);
    this.#isOpen = false;
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  #lost(code) {
    this.#drop();
    if (code === CLOSED_AS_IDLE) return;
    this.#tell.state(navigator.onLine ? "lost" : "offline");
    const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.#tries++);
    this.#reconnecting = setTimeout(() => this.#connectNow(), wait * (0.5 + Math.random() / 2));
  }

  /** A line that looks open and carries nothing is as good as lost. */
  #expectAnswer() {
    clearTimeout(this.#patience);
    this.#patience = setTimeout(() => this.#lost(0), ANSWER_MS);
  }

  #send(frame) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }

  // --- hearing ---

  #hear(frame) {
    if (frame.type === "session") this.#begin(frame);
    else if (frame.type === "ack") this.#stored(frame.id);
    else if (frame.type === "message") this.#read(frame);
    else if (frame.type === "typing") this.#tell.typing();
    else if (frame.type === "error") this.#refused(frame);
  }

  #begin({ session, is_new }) {
    clearTimeout(this.#patience);
    [this.#isOpen, this.#tries] = [true, 0];
    if (is_new) this.#forget();
    if (session !== this.#session || session !== this.#store.session) {
      this.#session = session;
      this.#store.session = session;
    }
    this.#tell.state("open");
    this.#sendFirst();
  }

  #forget() {
    this.#lastSeen = null;
    this.#store.read = 0;
    this.#tell.reset();
    for (const text of this.#queue) this.#tell.pending({ ...text, state: "sending" });
  }

  #read(frame) {
    if (this.#lastSeen !== null && frame.id <= this.#lastSeen) return;
    this.#lastSeen = frame.id;
    if (frame.client_id) this.#stored(frame.client_id);
    this.#tell.message(frame);
  }

  // --- sending ---

  #sendFirst() {
    if (!this.#isOpen || this.#queue.length === 0) return;
    const { id, text } = this.#queue[0];
    this.#send({ type: "text", id, text });
    this.#expectAnswer();
  }

  #stored(id) {
    const isFirst = this.#queue[0]?.id === id;
    const text = this.#remove(id);
    if (!text) return;
    this.#tell.pending({ ...text, state: "stored" });
    if (isFirst) this.#next();
  }

  #refused({ id, retry }) {
    clearTimeout(this.#patience);
    if (this.#queue[0]?.id !== id) return;
    if (retry) {
      this.#resending = setTimeout(() => this.#sendFirst(), retry * 1000);
      return;
    }
    this.#tell.pending({ ...this.#remove(id), state: "refused" });
    this.#next();
  }

  #next() {
    clearTimeout(this.#patience);
    clearTimeout(this.#resending);
    this.#sendFirst();
  }

  #remove(id) {
    const text = this.#queue.find((one) => one.id === id);
    this.#queue = this.#queue.filter((one) => one.id !== id);
    this.#store.unsent = this.#queue;
    return text;
  }
}

function newId() {
  // randomUUID exists on secure pages only.
  if (crypto.randomUUID) return crypto.randomUUID();
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
