import CLinux
import Domain
import Glibc
import JSON
import Reactor
import Simulation
import Testing

/// What the README promises of `qafila dev` and the commands, with real processes.
@Suite(.serialized) struct `Everything in one command` {
  static let campaign = """
    {"name": "Ramadan 1", "from": "sandbox-2922", "audience": {"id": "1"}, "pace": {"per_second": 50},
     "template": {"name": "ramadan_offer", "language": "ar", "stop_button": 0,
       "parameters": {"body": [{"attr": "first_name", "fallback": "عميلنا العزيز"}, "20%"]}},
     "schedule": {"start_at": "now", "window": "always"}}
    """

  final class Dev {
    let shell: Shell
    let pid: pid_t
    private var hasEnded = false

    init(shell: Shell, pid: pid_t) { (self.shell, self.pid) = (shell, pid) }
    // A test that failed on its way leaves nothing running.
    deinit { if !hasEnded { _ = stop() } }

    /// Runs `qafila dev` in the shell's folder and waits until it says that it is ready.
    static func start(_ shell: Shell, port: Int) async throws -> Dev {
      let log = shell.directory + "/dev.log"
      unlink(log)
      let pid = try shell.start(
        // Nobody waits a day here for whom Meta holds from offers.
        "exec '\(Shell.program)' dev --state state --listen 127.0.0.1:\(port) --sandbox-listen 127.0.0.1:\(port + 1)"
          + " --marketing-retries 0",
        output: log)
      let reactor = Reactor(name: "wait")
      reactor.start()
      defer { reactor.stop() }
      let deadline = BootInstant.now + .seconds(60)
      while !Shell.read(log).contains("Ready.") {
        try #require(BootInstant.now < deadline && kill(pid, 0) == 0, "dev did not start: \(Shell.read(log))")
        try await reactor.sleep(for: .milliseconds(50))
      }
      return Dev(shell: shell, pid: pid)
    }

    func run(_ script: String) throws -> Shell.Result { try shell.run(". state/env; \(script)") }

    /// Stops it and answers its exit code.
    func stop() -> Int32 {
      hasEnded = true
      kill(pid, SIGTERM)
      var status: Int32 = 0
      waitpid(pid, &status, 0)
      return status
    }
  }

  @Test func `runs a campaign from the file to the bill, twice on the same state`() async throws {
    let shell = try Shell()
    let port = Int(FreePorts.take(2))
    let dev = try await Dev.start(shell, port: port)
    #expect(try dev.run("qafila doctor --graph-url http://127.0.0.1:\(port + 1)").code == 0)
    let people = (0..<60).map { "0100\(1_000_000 + $0),\($0 % 3 == 0 ? "" : "منى")" }.joined(separator: "\n")
    let file = try dev.run("printf 'phone,first_name\\n\(people)\\n12,bad\\n' > people.csv; wc -l < people.csv")
    #expect(file.output == "62\n")
    let load = try dev.run(
      "qafila audiences import all people.csv --create --default-region EG --consent-source form "
        + "--consent-at 2026-01-01T00:00:00Z --rejects rejects.csv --json; cat rejects.csv; stat -c %a rejects.csv")
    #expect(load.output.contains("\"added_to_audience\":60") && load.output.contains("too_short"), "\(load.output)")
    #expect(load.output.hasSuffix("600\n"))

    let draft = try dev.run("cat > c.json <<'EOF'\n\(Self.campaign)\nEOF\nqafila campaigns create c.json --json")
    #expect(draft.code == 0, "\(draft.output)")
    let id = try JSONValue(parsing: Array(draft.output.utf8))["id"]?.stringValue ?? ""
    let refused = try dev.run("sed s/ramadan_offer/ramadan_ofer/ c.json | qafila campaigns create -")
    #expect(refused.code == 4 && refused.output.contains("Did you mean \"ramadan_offer\"?"), "\(refused.output)")
    // A test goes to the phones named and to nobody of the audience; it is counted apart.
    let trial = try dev.run("printf '+201009999991\\n01009999992\\n' | qafila campaigns test \(id) - --default-region EG --json")
    #expect(trial.code == 0, "\(trial.output)")
    let trialID = try JSONValue(parsing: Array(trial.output.utf8))["id"]?.stringValue ?? ""
    #expect(try dev.run("timeout 60 '\(Shell.program)' campaigns watch \(trialID) --until sent --json").code == 0)
    let journal = try dev.run("curl -s http://127.0.0.1:\(port + 1)/sandbox/journal")
    #expect(
      journal.output.contains("+201009999991") && journal.output.contains("+201009999992")
        && journal.output.split(separator: "\n").count == 2, "\(journal.output)")
    #expect(try dev.run("qafila campaigns show \(id)").output.contains("Nothing is sent until someone launches it."))

    #expect(try dev.run("qafila campaigns launch \(id) --now").code == 0)
    let watched = try dev.run("timeout 60 '\(Shell.program)' campaigns watch \(id) --until sent --json")
    #expect(watched.code == 0, "\(watched.output)")
    let last = watched.output.split(separator: "\n").last.map(String.init) ?? ""
    let counts = try JSONValue(parsing: Array(last.utf8))["counts"]
    #expect(counts?["audience"]?.int64Value == 60 && counts?["handed_over"]?.int64Value == 60)
    let report = try dev.run(
      "qafila reports messages --campaign \(id) | head -1; qafila reports messages --campaign \(id) | wc -l")
    #expect(report.output.hasPrefix("campaign_id,") && report.output.hasSuffix("61\n"), "\(report.output)")
    // The first key is made on the database, shown once; each role's key does its part.
    let made = try dev.run(
      "key=$(qafila keys create --role finance --name books) && QAFILA_API_KEY=$key qafila reports costs && "
        + "qafila keys list && QAFILA_API_KEY=$key qafila campaigns pause \(id)")
    #expect(made.output.contains("books") && !made.output.contains("qk_"), "\(made.output)")
    #expect(made.code != 0 && made.output.contains("role"), "finance pauses nothing: \(made.output)")
    // One person on one screen, their data in a file of their own, and forgotten; a file of stops.
    let one = "printf '+201001000001\\n'"
    let found = try dev.run("\(one) | qafila contacts find -")
    #expect(found.output.contains("in: all.") && found.output.contains("Ramadan 1"), "\(found.output)")
    let export = try dev.run(
      "\(one) | qafila contacts export - --output me.json && stat -c %a me.json && grep -c first_name me.json")
    #expect(export.output.hasSuffix("600\n1\n"), "\(export.output)")
    #expect(try dev.run("\(one) | qafila contacts erase -").output.contains("Erasing is final"))
    let erased = try dev.run("\(one) | qafila contacts erase - --yes && \(one) | qafila contacts find -")
    #expect(erased.output.contains("Erased: 1 contacts, 1 messages"), "\(erased.output)")
    #expect(erased.output.contains("No contact is stored"), "\(erased.output)")
    let stops = try dev.run("printf 'phone\\n01001000002\\nx\\n' | qafila opt-outs import - --default-region EG")
    #expect(stops.output.contains("Recorded: 1 of 2 rows. Not read: 1."), "\(stops.output)")
    #expect(dev.stop() == 0)

    // The second run goes on where the first one ended.
    let again = try await Dev.start(shell, port: port)
    #expect(try again.run("qafila campaigns list --json").output.contains(id))
    #expect(again.stop() == 0)
    try shell.remove()
  }

  @Test func `brakes over the service, and on the database when it is down`() async throws {
    let shell = try Shell()
    let port = Int(FreePorts.take(2))
    let dev = try await Dev.start(shell, port: port)
    let people = (0..<40).map { "+20100\(2_000_000 + $0)" }.joined(separator: "\n")
    _ = try dev.run("printf 'phone\\n\(people)\\n' > people.csv")
    // Through a pipe: nobody knows its length.
    let loaded = try dev.run(
      "cat people.csv | qafila audiences import - all --create --consent-source form --consent-at 2026-01-01T00:00:00Z")
    #expect(loaded.code == 0, "\(loaded.output)")
    let draft = try dev.run(
      "cat > c.json <<'EOF'\n\(Self.campaign.replacing("\"per_second\": 50", with: "\"per_second\": 1"))\nEOF\n"
        + "qafila campaigns create c.json --json")
    let id = try JSONValue(parsing: Array(draft.output.utf8))["id"]?.stringValue ?? ""
    #expect(try dev.run("qafila campaigns launch \(id) --now").code == 0)
    #expect(try dev.run("qafila stop --all --reason night").code == 0)
    #expect(try dev.run("qafila campaigns show \(id)").output.contains("Stopped by key:dev because night"))
    #expect(try dev.run("qafila resume --all").code == 4)
    #expect(try dev.run("qafila resume --all --reason morning").code == 0)
    // The service's address leads nowhere, the database is there.
    let direct = try dev.run("QAFILA_URL=http://127.0.0.1:1 qafila campaigns pause \(id) --reason look")
    #expect(direct.code == 0 && direct.output.contains("working on the database"), "\(direct.output)")
    let shown = try dev.run("qafila campaigns show \(id) --json")
    #expect(shown.output.contains("\"state\":\"paused\"") && shown.output.contains("Stopped by cli because look"))
    let stopped = try dev.run("qafila stop --all --database-url \"$QAFILA_DATABASE_URL\"")
    #expect(stopped.code == 0)
    #expect(try dev.run("qafila resume --all --reason ok; qafila campaigns resume \(id) --reason ok").code == 0)
    #expect(try dev.run("qafila campaigns cancel \(id)").code == 0)
    #expect(dev.stop() == 0)
    try shell.remove()
  }
}
