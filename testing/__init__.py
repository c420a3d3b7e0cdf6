"""The test kit: what `tests/` and `bench/` use, and what people use who write an agent, a sender or an actor kind.

`given` tests a decider in three lines, `in_memory_system` is every decider and reaction over one task, `random_walk`
drives it at random, `nats` and `cluster` are real NATS servers, `service_group` starts and kills real services one
by one, `system` is a whole `journeyman up`, `demo_model` is the scripted model that counts, `proxy` loses
acknowledgements, `eventually` waits, `checker` decides whether a log tells a story in which nothing was lost or
doubled.
"""
