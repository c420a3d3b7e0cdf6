import "@testing-library/jest-dom/vitest";
import { cleanup, configure } from "@testing-library/react";
import { afterEach, beforeEach } from "vitest";

// As long as it takes on a busy machine; a test that passes does not wait for it.
configure({ asyncUtilTimeout: 15_000 });

// There is no layout here: what scrolls is as high as a window, and everything in it as high as a line.
const width = { configurable: true, get: () => 1_000 };
const height = {
  configurable: true,
  get(this: HTMLElement) {
    return this.role === "log" ? 800 : 24;
  },
};
Object.defineProperties(HTMLElement.prototype, {
  clientWidth: width,
  clientHeight: height,
  offsetWidth: width,
  offsetHeight: height,
});

beforeEach(() => {
  localStorage.clear();
  sessionStorage.clear();
});
afterEach(cleanup);
