"""The program's settings as manifests give them: which keys there are, what a router has for one, who may call it."""

import re
import tomllib

# After drain delay and drain timeout: probes under way, the store, the process itself.
CLOSING_S = 5


class Settings:
    """Which keys there are and what they are without a variable: from config.sample.toml, then the image's config.toml."""

    def __init__(self, root):
        self.defaults = {}
        section = ""
        for line in (root / "config.sample.toml").read_text().splitlines():
            # What is commented out are keys, too, and stands as `# key = value`. Lists of tables cannot be set by variables.
            if found := re.fullmatch(r"(?:# )?\[([a-z_.]+)\]", line):
                section = found[1]
            elif re.match(r"(?:# )?\[\[", line):
                section = None
            elif section is not None and (found := re.fullmatch(r"(?:# )?([a-z_]+ = .+)", line)):
                try:
                    self._add(section, tomllib.loads(found[1]))
                except tomllib.TOMLDecodeError:
                    continue
        self.image = {}
        for section, keys in tomllib.loads((root / "deploy/config.toml").read_text()).items():
            self.image |= {f"{section}.{key}": value for key, value in keys.items()}
        dockerfile = (root / "deploy/Dockerfile").read_text()
        self.of_image = set(re.findall(r"^ENV (TOOL_ROUTER_\w+)=", dockerfile, re.MULTILINE))

    def _add(self, section, keys):
        for key, value in keys.items():
            if isinstance(value, dict):
                self._add(f"{section}.{key}", value)
            else:
                self.defaults[f"{section}.{key}"] = value

    def value(self, variables, key):
        """What a router with these variables has for a key."""
        said = variables.get("TOOL_ROUTER__" + key.upper().replace(".", "__"))
        return said if said is not None else self.image.get(key, self.defaults.get(key))

    def number(self, variables, key):
        value = str(self.value(variables, key))
        return int(value) if value.isdigit() else 0

    def grace(self, variables):
        """How long, in seconds, such a router may take to stop."""
        return sum(self.number(variables, f"server.{key}") for key in ("drain_delay_ms", "drain_timeout_ms")) / 1000 + CLOSING_S

    def complaint(self, name, value):
        """What is wrong with a variable, or None."""
        if not name.startswith("TOOL_ROUTER__"):
            if name.startswith("TOOL_ROUTER") and name not in self.of_image:
                return f"{name} is read by nobody: settings are called TOOL_ROUTER__SECTION__KEY"
            return None
        key = name.removeprefix("TOOL_ROUTER__").lower().replace("__", ".")
        if key not in self.defaults:
            return f"{name} stands for the key {key}, which config.sample.toml does not have"
        default, value = self.defaults[key], str(value)
        wanted = {bool: r"true|false", int: r"\d+", float: r"\d+(\.\d+)?"}.get(type(default))
        if wanted and not re.fullmatch(wanted, value):
            return f"{name} is {value!r}, the key {key} takes {'true or false' if isinstance(default, bool) else 'a number'}"
        return None

    def guard(self, variables):
        """What is wrong with who may call, or None: the same rule that the program starts by, and tokens always."""
        token_keys = ("access.select_token_file", "access.admin_token_file")
        if missing := [key for key in token_keys if "TOOL_ROUTER__" + key.upper().replace(".", "__") not in variables]:
            return f"{' and '.join(missing)} not set: anyone could call"
        tls = [f"TOOL_ROUTER__SERVER__TLS__{key}_FILE" in variables for key in ("CERTIFICATE", "KEY")]
        insecure = str(self.value(variables, "server.insecure")).lower() == "true"
        if any(tls) and not all(tls):
            return "of TLS's certificate and key only one is set"
        if all(tls) == insecure:
            return f"{'both' if insecure else 'neither'} of TLS and TOOL_ROUTER__SERVER__INSECURE"
        return None
