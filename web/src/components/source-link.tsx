import { ArrowUpRight } from "lucide-react";
import { webLink } from "../lib/link";
import { Visible } from "./visible";

/** The name of where a task came from; it leads there when the sender gave an address of the web. */
export function SourceLink({
  name,
  url,
  className,
  title,
}: {
  name: string;
  url: string;
  className: string;
  title?: string;
}) {
  const href = webLink(url);
  if (!href)
    return (
      <span className="truncate">
        <Visible text={name} />
      </span>
    );
  return (
    <a href={href} target="_blank" rel="noreferrer noopener" title={title} className={className}>
      <span className="truncate">
        <Visible text={name} />
      </span>
      <ArrowUpRight size={12} aria-hidden className="shrink-0" />
    </a>
  );
}
