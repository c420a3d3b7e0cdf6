import { CSPProvider } from "@base-ui/react/csp-provider";
import { Toast } from "@base-ui/react/toast";
import { Tooltip } from "@base-ui/react/tooltip";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { ApiError } from "./api/client";
import { Toaster } from "./components/ui/toaster";
import { LiveProvider } from "./live/provider";
import { router } from "./router";
import "./styles.css";

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      // Events say when something changed; the age only covers what nobody looked at while no events came.
      staleTime: 5_000,
      refetchOnWindowFocus: false,
      retry: (count, error) =>
        count < 2 && !(error instanceof ApiError && error.status >= 400 && error.status < 500),
      networkMode: "always",
    },
    mutations: { networkMode: "always" },
  },
});

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");

createRoot(root).render(
  <StrictMode>
    {/* The policy allows no style elements; our own CSS hides what Base UI would hide by them. */}
    <CSPProvider disableStyleElements>
      <QueryClientProvider client={queries}>
        <LiveProvider>
          <Tooltip.Provider delay={400}>
            <Toast.Provider timeout={6_000}>
              <RouterProvider router={router} />
              <Toaster />
            </Toast.Provider>
          </Tooltip.Provider>
        </LiveProvider>
      </QueryClientProvider>
    </CSPProvider>
  </StrictMode>,
);
