// Doorline's chat, for any web site: <script src="https://host/chat/widget.js" async></script>
// Attributes: data-mode="page" fills the page instead of a corner; data-language="en" or "es".

(() => {
  const FIRST_WAIT_MS = 500;
  const MOST_TRIES = 7; // about a minute in all
  const settings = "{{ settings }}";
  const script = document.currentScript ?? document.querySelector('script[src*="/chat/widget.js"]');
  if (!script || document.querySelector("doorline-chat")) return;
  const base = new URL(".", script.src).href;
  const { mode = "corner", language = "" } = script.dataset;
  // The place is taken at once, so that a second tag on the page does nothing.
  const host = document.createElement("doorline-chat");
  const load = (tries) => {
    // A browser may remember that a file failed: each try asks in a folder of its own, nested files included.
    const folder = tries ? `${settings.version}-${tries}` : settings.version;
    import(`${base}assets/${folder}/main.js`).then(
      ({ start }) => start(host, { base, mode, language, name: settings.name }),
      () => (tries < MOST_TRIES ? setTimeout(load, FIRST_WAIT_MS * 2 ** tries, tries + 1) : giveUp()),
    );
  };
  const giveUp = () => {
    host.remove();
    if (mode !== "page") return;
    const note = document.createElement("p");
    note.className = "not-loaded";
    note.textContent = "This chat could not be loaded. Please reload the page. "
      + "No se pudo cargar este chat. Vuelva a cargar la página.";
    document.body.append(note);
  };
  const begin = () => {
    document.body.append(host);
    load(0);
  };
  if (document.body) begin();
  else document.addEventListener("DOMContentLoaded", begin, { once: true });
})();
