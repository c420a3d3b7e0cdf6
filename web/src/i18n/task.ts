import { enTask } from "./en-task";
import { addWords, type Key, t } from "./index";

addWords(enTask);

/** `t` with the words of a task's page: for what only that page shows. */
export { type Key, t };
