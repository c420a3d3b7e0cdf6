/** The words of logging in. */
export const enPeople = {
  "login.documentTitle": "Log in · Journeyman",
  "login.title": "Log in to Journeyman",
  "login.ready": "This link logs you in, once. Nothing has happened yet.",
  "login.go": "Log in",
  "login.needed": "You come in by a one-time link.",
  "login.howOwn": "On the machine that runs Journeyman, this prints one:",
  "login.howOthers": "Or ask an admin, who makes one with journeyman user link and your name.",
  "login.paste": "A link that you were given",
  "login.pasteHint": "The whole link, or what stands behind its #",
  "login.ended": "You were logged out, or the session has ended.",
} as const;
