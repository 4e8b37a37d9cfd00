/** Reads the text of a `.basil-gearman.toml`; the only place that needs a TOML parser, so that it loads where there is such a file. */
import { parse, TomlError } from "smol-toml";
import { GearmanError } from "./errors.ts";
import { type Settings, settingsIn } from "./settings.ts";

/** The settings in the text of a configuration file, with files it names not read yet. `file` is its name for messages. */
export function parseGearmanConfig(text: string, file = ".basil-gearman.toml"): Settings {
  const directory = file.slice(0, Math.max(file.lastIndexOf("/"), file.lastIndexOf("\\")) + 1);
  return settingsIn(tableIn(text, file), { name: file, directory });
}

function tableIn(text: string, file: string): Record<string, unknown> {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [summary = "not valid TOML"] = error.message.split("\n");
    throw new GearmanError("CONFIG", `${file}:${error.line}:${error.column}: ${summary}`, { cause: error });
  }
}
