import { enPeople } from "./en-people";
import { addWords, type Key, t } from "./index";

addWords(enPeople);

export { type Key, t };
