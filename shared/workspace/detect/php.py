"""PHP: Composer's ``test`` script, Pest or PHPUnit; set-up by Composer."""

from __future__ import annotations

from shared.workspace.detect.folder import Folder, table


def checks(folder: Folder) -> list[str]:
    """At most one command."""
    composer = folder.json("composer.json")
    if "test" in table(composer, "scripts"):
        return ["composer test"]
    if "pestphp/pest" in _packages(folder):
        return ["vendor/bin/pest"]
    if folder.has("phpunit.xml", "phpunit.xml.dist", "phpunit.dist.xml"):
        return ["vendor/bin/phpunit" if folder.has("composer.json") else "phpunit"]
    return []


def setup(folder: Folder) -> list[str]:
    """The installation, as the lock file has it where there is one; extensions of PHP itself are no packages."""
    needed = any("/" in name for name in _packages(folder)) or folder.has("composer.lock")
    return ["composer install --no-interaction --no-progress"] if needed and folder.has("composer.json") else []


def _packages(folder: Folder) -> set[str]:
    composer = folder.json("composer.json")
    return {*table(composer, "require"), *table(composer, "require-dev")}
