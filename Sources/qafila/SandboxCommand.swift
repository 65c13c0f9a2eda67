enum SandboxCommand {
  static let command = Command(
    words: ["sandbox"], summary: "run the Cloud API's double, for trying and staging",
    settings: [.listen]
  ) { _ in
    throw UsageError("The Sandbox is not in this build.")
  }
}
