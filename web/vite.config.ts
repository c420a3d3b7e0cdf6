import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const gateway = process.env.JOURNEYMAN_GATEWAY ?? "http://127.0.0.1:8080";

export default defineConfig({
  plugins: [react(), tailwindcss()],
  build: {
    outDir: "../services/gateway/static",
    emptyOutDir: true,
    // The policy allows no data: fonts and no inline script, so nothing may be inlined.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2022",
    chunkSizeWarningLimit: 700,
    // What every page needs at once comes in one piece: what it shares with screens that come later would be cut out of it
    // otherwise, and pieces compress worse.
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: "base", tags: ["$initial"] }] } } },
  },
  server: {
    host: "127.0.0.1",
    proxy: { "/api": gateway, "/ws": { target: gateway, ws: true } },
  },
});
