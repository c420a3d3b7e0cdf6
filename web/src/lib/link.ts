/** The address when a browser may open it as a page (http or https), else undefined: `javascript:` would run here. */
export function webLink(address: string): string | undefined {
  try {
    const url = new URL(address);
    return url.protocol === "https:" || url.protocol === "http:" ? url.href : undefined;
  } catch {
    return undefined;
  }
}
