import { Toast } from "@base-ui/react/toast";
import clsx from "clsx";
import { X } from "lucide-react";
import { t } from "../../i18n";

export function Toaster() {
  const { toasts } = Toast.useToastManager();
  return (
    <Toast.Portal>
      <Toast.Viewport className="fixed right-4 bottom-4 z-50 flex w-[min(24rem,calc(100vw-2rem))] flex-col gap-2">
        {toasts.map((toast) => (
          <Toast.Root
            key={toast.id}
            toast={toast}
            className={clsx(
              "rounded-lg border bg-panel p-3 shadow-pop",
              toast.type === "error" ? "border-bad-line" : "border-line-strong",
            )}
          >
            <div className="flex gap-3">
              <div className="min-w-0 flex-1">
                <Toast.Title className={clsx("font-medium", toast.type === "error" && "text-bad")} />
                <Toast.Description className="text-ink-2" />
              </div>
              <Toast.Close
                aria-label={t("action.close")}
                className="grid size-6 place-items-center rounded text-ink-3 hover:bg-hover hover:text-ink"
              >
                <X size={14} aria-hidden />
              </Toast.Close>
            </div>
          </Toast.Root>
        ))}
      </Toast.Viewport>
    </Toast.Portal>
  );
}

export const useToast = Toast.useToastManager;
