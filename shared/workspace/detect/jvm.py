"""Java, Kotlin and Scala: Maven, Gradle, sbt. Their test commands fetch what they need, so that nothing is set up."""

from __future__ import annotations

from shared.workspace.detect.folder import Folder


def checks(folder: Folder) -> list[str]:
    """At most one command for Maven or Gradle, and one for sbt. A red module does not hide the others."""
    found = []
    if folder.has("pom.xml"):
        found.append("sh ./mvnw -B --fail-at-end test" if folder.has("mvnw") else "mvn -B --fail-at-end test")
    elif folder.has("gradlew"):
        found.append("sh ./gradlew test --continue")
    elif folder.has("build.gradle", "build.gradle.kts", "settings.gradle", "settings.gradle.kts"):
        found.append("gradle test --continue")
    if folder.has("build.sbt"):
        found.append("sbt test")
    return found


def setup(folder: Folder) -> list[str]:
    """Nothing."""
    return []
