// What the browser remembers: the session, how far was read, and texts that are not stored yet.

export class Store {
  #keys;
  #memory = new Map();

  constructor(base) {
    const key = (name) => `doorline-chat ${base} ${name}`;
    this.#keys = { session: key("session"), read: key("read"), unsent: key("unsent") };
  }

  get session() { return this.#get(localStore, this.#keys.session) ?? ""; }

  set session(token) { this.#set(localStore, this.#keys.session, token); }

  get read() { return Number(this.#get(localStore, this.#keys.read)) || 0; }

  set read(number) { this.#set(localStore, this.#keys.read, String(number)); }

  /** Texts of this tab that the server has not acknowledged: `{ id, text, at }`, oldest first. */
  get unsent() {
    try {
      const texts = JSON.parse(this.#get(tabStore, this.#keys.unsent) ?? "[]");
      return Array.isArray(texts) ? texts.filter((one) => typeof one?.id === "string" && typeof one?.text === "string") : [];
    } catch {
      return [];
    }
  }

  set unsent(texts) { this.#set(tabStore, this.#keys.unsent, JSON.stringify(texts)); }

  whenAnotherTabBegins(tell) {
    addEventListener("storage", (event) => {
      if (event.key === this.#keys.session && event.newValue) tell(event.newValue);
    });
  }

  // A browser may forbid storing: then everything holds for as long as the page is open.
  #get(store, key) {
    try {
      return store().getItem(key);
    } catch {
      return this.#memory.get(key) ?? null;
    }
  }

  #set(store, key, value) {
    try {
      store().setItem(key, value);
    } catch {
      this.#memory.set(key, value);
    }
  }
}

const localStore = () => window.localStorage;
const tabStore = () => window.sessionStorage;
