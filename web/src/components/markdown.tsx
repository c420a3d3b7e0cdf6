import { memo, type ReactNode } from "react";
import ReactMarkdown, { type Components, type ExtraProps } from "react-markdown";
import remarkGfm from "remark-gfm";
import { webLink } from "../lib/link";
import { partsOf } from "../lib/visible";
import { HiddenMark, HiddenWarning, Visible } from "./visible";

type Element = NonNullable<ExtraProps["node"]>;
type Child = Element["children"][number];

const remarkPlugins = [remarkGfm];
/** Elements of our own: text of others makes none, because raw HTML stays text. */
const MARK = "data";
const WARNING = "aside";

const element = (tagName: string, value: string): Element => ({
  type: "element",
  tagName,
  properties: { value },
  children: [],
});

/**
 * Puts a mark in the place of each hidden character, and counts them. It works on the finished tree, so that it also sees
 * those that were written as `&#x202e;`.
 */
function markHidden(node: { children: unknown[] }, found: number[]): void {
  node.children = (node.children as Child[]).flatMap((child): Child[] => {
    // Raw HTML becomes text only after us.
    const { type } = child as { type: string };
    if (type === "text" || type === "raw") {
      const parts = partsOf((child as { value: string }).value);
      found.push(...parts.filter((part) => typeof part === "number"));
      return parts.map((part) =>
        typeof part === "string" ? { type: "text", value: part } : element(MARK, String(part)),
      );
    }
    if (child.type === "element") markHidden(child, found);
    return [child];
  });
}

const rehypeHidden = (warn: boolean) => () => (tree: { children: unknown[] }) => {
  const found: number[] = [];
  markHidden(tree, found);
  if (warn && found.length > 0) tree.children.unshift(element(WARNING, found.join(" ")));
};
const quiet = [rehypeHidden(false)];
const warning = [rehypeHidden(true)];

function counted(codes: string): Map<number, number> {
  const found = new Map<number, number>();
  for (const code of codes.split(" ")) found.set(Number(code), (found.get(Number(code)) ?? 0) + 1);
  return found;
}

/** A link to another site; without an address that may be linked, its text. */
function Outward({ href, children }: { href: string | undefined; children: ReactNode }) {
  if (!href) return <>{children}</>;
  return (
    <a href={href} target="_blank" rel="noreferrer noopener">
      {children}
    </a>
  );
}

const own = (node: ExtraProps["node"]): string => String(node?.properties.value ?? "");

/** Raw HTML stays text and images become links: what an agent wrote must not load anything from elsewhere. */
const components: Components = {
  [MARK]: ({ node }) => <HiddenMark code={Number(own(node))} />,
  [WARNING]: ({ node }) => <HiddenWarning what="text" found={counted(own(node))} />,
  a: ({ href, children }) => <Outward href={href}>{children}</Outward>,
  img: ({ src, alt }) => {
    const href = typeof src === "string" ? src : undefined;
    return <Outward href={href}>{alt ? <Visible text={alt} /> : href}</Outward>;
  },
  // The page has its own h1 to h2; the text's headings go below them.
  h1: ({ children }) => <h3>{children}</h3>,
  h2: ({ children }) => <h3>{children}</h3>,
  h3: ({ children }) => <h4>{children}</h4>,
  h4: ({ children }) => <h5>{children}</h5>,
  // A wide block scrolls by itself, and then the keyboard must be able to reach it.
  pre: ({ children }) => <pre tabIndex={0}>{children}</pre>,
};
const planComponents: Components = {
  ...components,
  [WARNING]: ({ node }) => <HiddenWarning what="plan" found={counted(own(node))} />,
};

/** Text of others. `warn` says before it that it holds hidden characters, where somebody decides by what they read. */
export const Markdown = memo(function Markdown({ text, warn }: { text: string; warn?: "plan" | "text" }) {
  return (
    <div className="prose">
      <ReactMarkdown
        remarkPlugins={remarkPlugins}
        rehypePlugins={warn ? warning : quiet}
        components={warn === "plan" ? planComponents : components}
        urlTransform={webLink}
      >
        {text}
      </ReactMarkdown>
    </div>
  );
});
