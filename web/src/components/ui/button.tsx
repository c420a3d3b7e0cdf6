import clsx from "clsx";
import type { ComponentProps, ReactNode } from "react";
import { Tip } from "./tip";

type Look = "primary" | "plain" | "quiet" | "danger";

const LOOKS: Record<Look, string> = {
  primary: "border-transparent bg-accent-fill text-white hover:bg-accent-fill-hover",
  plain: "border-line-strong bg-panel text-ink hover:bg-hover",
  quiet: "border-transparent text-ink-2 hover:bg-hover hover:text-ink",
  danger: "border-line-strong bg-panel text-bad hover:bg-bad-soft hover:border-bad-line",
};

export interface ButtonProps extends ComponentProps<"button"> {
  look?: Look;
  size?: "sm" | "md";
  busy?: boolean | undefined;
}

export function Button({ look = "plain", size = "md", busy, className, disabled, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      disabled={disabled || busy}
      aria-busy={busy || undefined}
      className={clsx(
        "inline-flex shrink-0 items-center justify-center gap-1.5 rounded-md border font-medium whitespace-nowrap transition-colors",
        "disabled:cursor-not-allowed disabled:opacity-55",
        size === "sm" ? "h-7 px-2.5 text-mini" : "h-8 px-3 text-ui",
        LOOKS[look],
        className,
      )}
    />
  );
}

/** A square button whose name is its tooltip. */
export function IconButton({
  label,
  children,
  className,
  ...rest
}: ButtonProps & { label: string; children: ReactNode }) {
  return (
    <Tip label={label}>
      <Button look="quiet" {...rest} aria-label={label} className={clsx("w-8 px-0! text-ink-2", className)}>
        {children}
      </Button>
    </Tip>
  );
}
