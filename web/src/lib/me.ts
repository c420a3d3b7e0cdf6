import { useQuery } from "@tanstack/react-query";
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
