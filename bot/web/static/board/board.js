// Keeps the board current: the same page is read again and what changed takes the place of what stood there.
// Without scripts the browser reloads it once a minute, and its own menu prints just as well.

const EVERY_MS = 15_000;

const live = document.querySelector("#live");
const button = document.querySelector("#print");

button.hidden = false;
button.addEventListener("click", () => window.print());

let reading = false;

/** What has the focus, so that it has it again after the content was replaced. */
function focused() {
  const element = document.activeElement;
  if (!element || !element.closest("#content")) return null;
  const key = element.closest("[data-key]")?.dataset.key;
  if (key) return `[data-key="${CSS.escape(key)}"] a`;
  if (element.id) return `#${CSS.escape(element.id)}`;
  const place = element.getAttribute("href");
  return place ? `a[href="${CSS.escape(place)}"]` : null;
}

function replace(page) {
  const before = document.querySelector("#content");
  const after = page.querySelector("#content");
  if (before.innerHTML !== after.innerHTML) {
    const selector = focused();
    before.replaceWith(after);
    if (selector) document.querySelector(selector)?.focus({ preventScroll: true });
  }
  say(`As of ${after.dataset.asOf}`, false);
  document.title = page.title;
}

/** A screen reader hears it when news stop, not each time they come. */
function say(text, isStale) {
  live.classList.toggle("is-stale", isStale);
  live.setAttribute("aria-live", isStale ? "polite" : "off");
  const words = live.querySelector("span");
  if (words.textContent !== text) words.textContent = text;
}

function noNews() {
  const since = document.querySelector("#content").dataset.asOf;
  say(`No news since ${since}, trying again`, true);
}

async function refresh() {
  if (reading || document.hidden) return;
  reading = true;
  try {
    const answer = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(EVERY_MS) });
    if (answer.status === 403 || answer.status === 410) {
      location.reload();
    } else if (answer.ok) {
      replace(new DOMParser().parseFromString(await answer.text(), "text/html"));
    } else {
      noNews();
    }
  } catch {
    noNews();
  } finally {
    reading = false;
  }
}

say(live.querySelector("span").textContent, false);
setInterval(refresh, EVERY_MS);
document.addEventListener("visibilitychange", refresh);
