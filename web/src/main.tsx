import { type ReactNode, StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app";
import { router } from "./router";
import "./styles.css";

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");

const show = (page: ReactNode) => createRoot(root).render(<StrictMode>{page}</StrictMode>);

// Where one logs in nothing else may be asked for, and nothing is listened to.
if (location.pathname === "/login")
  void import("./screens/login/screen").then(({ LoginScreen }) =>
    show(<LoginScreen hash={location.hash} search={location.search} />),
  );
else show(<App router={router} />);
