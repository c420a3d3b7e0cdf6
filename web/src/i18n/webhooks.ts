import { enDialogs } from "./en-dialogs";
import { enWebhooks } from "./en-webhooks";
import { addWords, type Key, t } from "./index";

addWords({ ...enDialogs, ...enWebhooks });

export { type Key, t };
