import { enDialogs } from "./en-dialogs";
import { addWords, type Key, t } from "./index";

addWords(enDialogs);

export { type Key, t };
