// Runs before the first paint, so that a reload never flashes the other theme.
(() => {
  let choice = "system";
  try {
    choice = localStorage.getItem("journeyman.theme") ?? "system";
  } catch {
    // Storage may be closed to us; the system's own preference still works.
  }
  const dark =
    choice === "dark" || (choice !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
})();
