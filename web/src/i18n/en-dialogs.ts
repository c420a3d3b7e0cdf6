/** The words of what is opened on the way: a new task, the shortcuts, the first steps; in the form of `en.ts`. */
export const enDialogs = {
  "shortcuts.title": "Keyboard shortcuts",
  "shortcuts.everywhere": "Everywhere",
  "shortcuts.create": "New task",
  "shortcuts.help": "This list",
  "shortcuts.search": "Search",
  "shortcuts.list": "Task list",
  "shortcuts.move": "Next, previous task",
  "shortcuts.openTask": "Open task",
  "shortcuts.task": "Task page",
  "shortcuts.tabs": "Plan, output, changes, checks, timeline, cost",
  "shortcuts.approve": "Go to Approve",
  "shortcuts.matches": "Next, previous match",
  "shortcuts.back": "Back to the list",

  "newTask.title": "New task",
  "newTask.description": "Say what you want done.",
  "newTask.text": "What should be done?",
  "newTask.textPlaceholder": "Greeting ignores the configured language. Fix it and add a test.",
  "newTask.titleField": "Title",
  "newTask.titlePlaceholder": "Chosen from the text",
  "newTask.repo": "Repository",
  "newTask.directive": "How to begin",
  "newTask.repoChoose": "Choose one",
  "newTask.then.auto.required":
    "Triage decides how to begin. If it asks for a plan, you approve that before any code is written.",
  "newTask.then.auto.auto":
    "Triage decides how to begin. Plans approve themselves here (JOURNEYMAN_APPROVAL=auto).",
  "newTask.then.plan.required": "You approve the plan before any code is written.",
  "newTask.then.plan.auto": "The plan approves itself here (JOURNEYMAN_APPROVAL=auto).",
  "newTask.then.implement": "There is no plan to approve: an agent begins to write code at once.",

  "repo.setup.configured": "set-up configured",
  "repo.setup.detected": "set-up found in it",
  "repo.setup.none": "no set-up",
  "repo.checks.configured": "checks configured",
  "repo.checks.detected": "checks found in it",
  "repo.checks.none": "no checks",

  "newTask.send": "Create task",
  "newTask.sending": "Creating…",

  "directive.auto": "Decide for me",
  "directive.auto.hint": "Triage picks what fits",
  "directive.plan": "Plan first",
  "directive.plan.hint": "Wait for my approval",
  "directive.implement": "Implement",
  "directive.implement.hint": "Go straight to code",

  "empty.title": "No tasks yet",
  "empty.steps": "First steps",
  "empty.text":
    "A GitHub issue, a command or the New task button makes one. Journeyman triages it, writes a plan for your approval, and then does the work in its own branch.",
  "empty.webhook": "From a signed GitHub webhook",
  "empty.missing": "What is missing",
  "empty.webhookHint":
    "Paste this to send what GitHub would send for a new issue. Point a repository's webhook at the same address for the real thing.",
  "empty.webhookHintSecret":
    "Paste this into a shell that has the secret, to send what GitHub would send for a new issue. Point a repository's webhook at the same address for the real thing.",
  "empty.cli": "From the terminal",
  "empty.cliHint": "Submits a task and waits for its end.",

  "mend.repo": "No repository is configured",
  "mend.repo.text":
    "Every task would be declined. Name the repositories that agents may work on, each with its own url or path; the file is read again by itself.",
  "mend.restart": "In the folder in which Journeyman is started; then start it again.",
  "mend.agents": "Agents cannot run",
  "mend.secret": "The webhook has no secret",
  "mend.secret.text": "Deliveries are refused until there is one. Make it, and give the sender the same one.",

  "testEvent.title": "Send a test event",
  "testEvent.hint":
    "The gateway signs an issue with its own webhook secret and sends it to itself. It asks a question that changes nothing.",
  "testEvent.send": "Send a test event",
  "testEvent.outcome": "What became of it",
  "testEvent.stored": "Signature right, stored ({status}):",
  "testEvent.delivery": "Delivery",
  "testEvent.refused": "Not taken ({status}):",
  "testEvent.waiting": "Waiting for its task…",
  "testEvent.task": "It became the task",
} as const satisfies Record<string, string | { one: string; other: string }>;
