import { enChat } from "./en-chat";
import { addWords, type Key, t } from "./index";

addWords(enChat);

export { type Key, t };
