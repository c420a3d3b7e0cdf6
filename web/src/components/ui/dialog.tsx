import { AlertDialog } from "@base-ui/react/alert-dialog";
import { Dialog } from "@base-ui/react/dialog";
import clsx from "clsx";
import { X } from "lucide-react";
import { type ReactNode, useRef } from "react";
import { t } from "../../i18n";

const BACKDROP = "fixed inset-0 z-40 bg-black/35 dark:bg-black/60";
const POPUP =
  "fixed top-[12dvh] left-1/2 z-50 max-h-[80dvh] w-[min(36rem,calc(100vw-2rem))] -translate-x-1/2 overflow-y-auto rounded-xl border border-line-strong bg-panel shadow-pop outline-none";

interface Props {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: string;
  description?: string;
  children: ReactNode;
  className?: string;
}

/** A dialog is opened to fill something in, so its first field has the focus; one without fields takes it itself. */
const firstField = (popup: HTMLElement | null): HTMLElement | null =>
  popup?.querySelector<HTMLElement>("textarea, input") ?? popup;

export function Modal({ open, onOpenChange, title, description, children, className }: Props) {
  const popup = useRef<HTMLDivElement>(null);
  return (
    <Dialog.Root open={open} onOpenChange={onOpenChange}>
      <Dialog.Portal>
        <Dialog.Backdrop className={BACKDROP} />
        <Dialog.Popup
          ref={popup}
          initialFocus={() => firstField(popup.current)}
          className={clsx(POPUP, className)}
        >
          <div className="flex items-start gap-3 px-5 pt-4">
            <div className="min-w-0 flex-1">
              <Dialog.Title className="text-base font-semibold tracking-tight">{title}</Dialog.Title>
              {description && (
                <Dialog.Description className="mt-0.5 text-ink-3">{description}</Dialog.Description>
              )}
            </div>
            <Dialog.Close
              aria-label={t("action.close")}
              className="-mr-1.5 grid size-7 place-items-center rounded-md text-ink-3 hover:bg-hover hover:text-ink"
            >
              <X size={16} aria-hidden />
            </Dialog.Close>
          </div>
          <div className="px-5 pt-4 pb-5">{children}</div>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

/** A question that must be answered before anything else: closing it by a stray click is not an answer. */
export function Confirm({ open, onOpenChange, title, description, children }: Props) {
  return (
    <AlertDialog.Root open={open} onOpenChange={onOpenChange}>
      <AlertDialog.Portal>
        <AlertDialog.Backdrop className={BACKDROP} />
        <AlertDialog.Popup className={clsx(POPUP, "w-[min(28rem,calc(100vw-2rem))] p-5")}>
          <AlertDialog.Title className="text-base font-semibold tracking-tight">{title}</AlertDialog.Title>
          {description && (
            <AlertDialog.Description className="mt-1 text-ink-2">{description}</AlertDialog.Description>
          )}
          <div className="mt-4">{children}</div>
        </AlertDialog.Popup>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}
