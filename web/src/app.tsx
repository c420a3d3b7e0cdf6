import { CSPProvider } from "@base-ui/react/csp-provider";
import { Toast } from "@base-ui/react/toast";
import { Tooltip } from "@base-ui/react/tooltip";
import { MutationCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { useState } from "react";
import { ApiError } from "./api/client";
import { keys } from "./api/keys";
import { Toaster } from "./components/ui/toaster";
import type { Socket } from "./live/client";
import { LiveProvider } from "./live/provider";
import type { router } from "./router";

/** A role that was changed a moment ago counts at once: who is refused something is asked about again. */
const noticeRole = (queries: QueryClient, error: Error) => {
  if (error instanceof ApiError && error.status === 403)
    void queries.invalidateQueries({ queryKey: keys.me });
};

function createQueries(): QueryClient {
  const queries: QueryClient = new QueryClient({
    mutationCache: new MutationCache({ onError: (error) => noticeRole(queries, error) }),
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
  return queries;
}

/** The whole page. `connect` opens the WebSocket; without it, the gateway's own at this address. */
export function App({ router: pages, connect }: { router: typeof router; connect?: () => Socket }) {
  const [queries] = useState(createQueries);
  return (
    // The policy allows no style elements; our own CSS hides what Base UI would hide by them.
    <CSPProvider disableStyleElements>
      <QueryClientProvider client={queries}>
        <LiveProvider {...(connect && { connect })}>
          <Tooltip.Provider delay={400}>
            <Toast.Provider timeout={6_000}>
              <RouterProvider router={pages} />
              <Toaster />
            </Toast.Provider>
          </Tooltip.Provider>
        </LiveProvider>
      </QueryClientProvider>
    </CSPProvider>
  );
}
