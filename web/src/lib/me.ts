import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { keys } from "../api/keys";
import { meQuery } from "../api/queries";
import type { Me, Operation } from "../api/types";

/** Who looks at this page; undefined until that is known, and at a gateway that does not say. */
export const useMe = (): Me | undefined => useQuery(meQuery).data;

/**
 * Whether whoever looks at this page may do that, by the gateway's own table of roles. While it is not known, the gateway
 * is left to refuse it.
 */
export function useMay(): (operation: Operation) => boolean {
  const me = useMe();
  return (operation) => me?.may.includes(operation) ?? true;
}

/** With another role other actions are offered, so what is on the page is asked for anew. */
export function useRoleChanges(): void {
  const role = useMe()?.role;
  const before = useRef(role);
  const queries = useQueryClient();
  useEffect(() => {
    if (before.current && role && before.current !== role)
      void queries.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== keys.me[0] });
    before.current = role ?? before.current;
  }, [role, queries]);
}
