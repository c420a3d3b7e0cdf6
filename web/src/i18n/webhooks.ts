import { enWebhooks } from "./en-webhooks";
import { addWords, type Key, t } from "./index";

addWords(enWebhooks);

export { type Key, t };
