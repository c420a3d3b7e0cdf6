import { memo, type ReactNode } from "react";
import ReactMarkdown, { type Components } from "react-markdown";
import remarkGfm from "remark-gfm";
import { webLink } from "../lib/link";

const plugins = [remarkGfm];

/** A link to another site; without an address that may be linked, its text. */
function Outward({ href, children }: { href: string | undefined; children: ReactNode }) {
  if (!href) return <>{children}</>;
  return (
    <a href={href} target="_blank" rel="noreferrer noopener">
      {children}
    </a>
  );
}

/** Raw HTML stays text and images become links: what an agent wrote must not load anything from elsewhere. */
const components: Components = {
  a: ({ href, children }) => <Outward href={href}>{children}</Outward>,
  img: ({ src, alt }) => {
    const href = typeof src === "string" ? src : undefined;
    return <Outward href={href}>{alt || href}</Outward>;
  },
  // The page has its own h1 to h2; the text's headings go below them.
  h1: ({ children }) => <h3>{children}</h3>,
  h2: ({ children }) => <h3>{children}</h3>,
  h3: ({ children }) => <h4>{children}</h4>,
  h4: ({ children }) => <h5>{children}</h5>,
  // A wide block scrolls by itself, and then the keyboard must be able to reach it.
  pre: ({ children }) => <pre tabIndex={0}>{children}</pre>,
};

export const Markdown = memo(function Markdown({ text }: { text: string }) {
  return (
    <div className="prose">
      <ReactMarkdown remarkPlugins={plugins} components={components} urlTransform={webLink}>
        {text}
      </ReactMarkdown>
    </div>
  );
});
