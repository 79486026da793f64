// Without scripts the browser's own menu prints just as well.
const button = document.querySelector("#print");

button.hidden = false;
button.addEventListener("click", () => window.print());
