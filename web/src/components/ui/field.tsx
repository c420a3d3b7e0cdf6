import clsx from "clsx";
import { type ComponentProps, type ReactNode, useId } from "react";

export const INPUT =
  "w-full rounded-md border border-line-strong bg-panel px-2.5 text-ui text-ink placeholder:text-ink-3 hover:border-ink-3 focus:border-accent focus:outline-2 focus:outline-offset-0 focus:outline-accent/25";

export function Input({ className, ...rest }: ComponentProps<"input">) {
  return <input {...rest} className={clsx(INPUT, "h-8", className)} />;
}

export function TextArea({ className, ...rest }: ComponentProps<"textarea">) {
  return <textarea {...rest} className={clsx(INPUT, "resize-y py-2 leading-5", className)} />;
}

export function Select({ className, ...rest }: ComponentProps<"select">) {
  return <select {...rest} className={clsx(INPUT, "h-8", className)} />;
}

/** A labelled control; `children` gets the id that ties the label and the hint to it. */
export function Field({
  label,
  hint,
  optional,
  children,
}: {
  label: string;
  hint?: string;
  optional?: string;
  children: (ids: { id: string; "aria-describedby"?: string }) => ReactNode;
}) {
  const id = useId();
  return (
    <div>
      <label htmlFor={id} className="mb-1 flex items-baseline gap-1.5 font-medium">
        {label}
        {optional && <span className="text-mini font-normal text-ink-3">{optional}</span>}
      </label>
      {children(hint ? { id, "aria-describedby": `${id}-hint` } : { id })}
      {hint && (
        <p id={`${id}-hint`} className="mt-1 text-mini text-ink-3">
          {hint}
        </p>
      )}
    </div>
  );
}
