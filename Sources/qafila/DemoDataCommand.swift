import DemoData
import Glibc

/// Writes an audience file to try things with.
enum DemoDataCommand {
  static let command = Command(
    words: ["demo-data"], summary: "write an audience file of realistic shape, from a seed",
    details: [
      "Arabic and Latin names, six countries, phones in every form people write them, duplicates, useless\n"
        + "numbers, rows without consent. Prints what it made as JSON. The same seed gives the same bytes.\n"
        + "The numbers are drawn from ranges in use, so they may be somebody's: load the file into a service\n"
        + "that talks to a Sandbox, never to Meta."
    ],
    options: [
      Option("rows", "N", "so many rows, at most \(Progress.grouped(DemoAudience.mostRows)) (20,000 unless given)"),
      Option("seed", "N", "another seed makes another file (7 unless given)"),
      Option("out", "FILE", "the CSV of contacts; its rows without a country are \(DemoAudience.defaultRegion)"),
      Option("opt-outs", "FILE", "the phones of those who opted out before, one a line"),
    ]
  ) { invocation in
    guard let rows = Int(invocation.option("rows") ?? "20000"), (1...DemoAudience.mostRows).contains(rows) else {
      throw UsageError("--rows is a number from 1 to \(DemoAudience.mostRows).")
    }
    guard let seed = UInt64(invocation.option("seed") ?? "7") else { throw UsageError("--seed is a number from 0 on.") }
    guard let path = invocation.option("out") else {
      throw UsageError("qafila demo-data needs --out FILE.", remedy: Help.usage(of: invocation.command))
    }
    let audience = DemoAudience(rows: rows, seed: seed)
    try write(audience.contacts, to: path)
    if let path = invocation.option("opt-outs") { try write(audience.optOuts, to: path) }
    Terminal.print(audience.summary.json)
  }

  /// Readable by its owner alone, like every file of phones.
  private static func write(_ bytes: [UInt8], to path: String) throws(UsageError) {
    let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    let isWritten = file >= 0 && Files.write(bytes, to: file) && close(file) == 0
    guard isWritten else {
      throw UsageError(
        "The file \(path) cannot be written: \(Files.reason()).", remedy: "Check the path and its rights.")
    }
  }
}
