"""The live view: one feed of each stream for the whole process, fanned out in memory to every socket."""
