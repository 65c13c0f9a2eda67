import Domain
import Foundation
import Guarding
import JSON
import Store
import Testing

@Suite struct `The exact bound` {
  @Test func `is the one of the tables`() {
    // None of n: 1 - error^(1/n).
    #expect(abs(ExactBound.upper(bad: 0, of: 100, confidence: 0.95) - 0.029513) < 1e-6)
    #expect(abs(ExactBound.upper(bad: 0, of: 500, confidence: 0.99) - (1 - pow(0.01, 1.0 / 500))) < 1e-9)
    // 5 of 20: 0.4556, as in any table of Clopper and Pearson.
    #expect(abs(ExactBound.upper(bad: 5, of: 20, confidence: 0.95) - 0.45558) < 1e-5)
    #expect(ExactBound.upper(bad: 0, of: 0, confidence: 0.95) == 1)
    #expect(ExactBound.upper(bad: 7, of: 7, confidence: 0.95) == 1)
  }

  @Test func `lies below the true rate no more often than its error says, whatever the rate`() {
    for (count, confidence) in [(50, 0.95), (200, 0.95), (500, 0.9), (500, 0.99)] {
      let bounds = (0...count).map { ExactBound.upper(bad: $0, of: count, confidence: confidence) }
      for rate in stride(from: 0.002, to: 0.2, by: 0.0037) {
        // The probability of every count whose bound is too low, summed exactly.
        var (term, wrong) = (pow(1 - rate, Double(count)), 0.0)
        for bad in 0...count {
          if bounds[bad] < rate { wrong += term }
          term *= Double(count - bad) / Double(bad + 1) * rate / (1 - rate)
        }
        #expect(wrong <= 1 - confidence + 1e-9, "\(count) outcomes at \(rate): wrong in \(wrong)")
      }
    }
  }

  @Test func `rises with what is bad, falls with what is known`() {
    for bad in 0..<60 {
      #expect(
        ExactBound.upper(bad: bad, of: 500, confidence: 0.95) < ExactBound.upper(bad: bad + 1, of: 500, confidence: 0.95))
      #expect(
        ExactBound.upper(bad: bad, of: 501, confidence: 0.95) < ExactBound.upper(bad: bad, of: 500, confidence: 0.95))
    }
    #expect(abs(ExactBound.upper(bad: 4000, of: 200_000, confidence: 0.95) - 0.02) < 0.001)
  }
}

@Suite struct `A pilot` {
  private static let sentAt = Instant(seconds: 1_800_000_000)
  private static let rule = PilotRule(.init(), .init())

  private static func evidence(
    delivered: Int = 470, optedOut: Int = 3, failures: [Int32: Int] = [131_026: 15], held: Int = 0, done: Int = 500,
    sent: Bool = true
  ) -> PilotRule.Evidence {
    .init(
      step: 1, people: 500, done: done,
      outcomes: .init(accepted: 500, delivered: delivered, optedOut: optedOut, failures: failures), held: held,
      sentAt: sent ? sentAt : nil)
  }

  private static func verdict(_ evidence: PilotRule.Evidence, after: Duration = .seconds(1800)) -> PilotRule.Verdict {
    rule.judge(evidence, at: sentAt + after)
  }

  private static func isFailure(_ verdict: PilotRule.Verdict) -> Bool { if case .failed = verdict { true } else { false } }
  private static func isPass(_ verdict: PilotRule.Verdict) -> Bool { if case .passed = verdict { true } else { false } }

  @Test func `goes on only when the rate is shown to be below the limit, at the stated time`() throws {
    #expect(Self.verdict(Self.evidence(done: 499, sent: false)) == .sending)
    #expect(Self.verdict(Self.evidence(), after: .seconds(1799)) == .waits(until: Self.sentAt + .seconds(1800)))
    guard case .passed(let figures) = Self.verdict(Self.evidence()) else { return #expect(Bool(false), "it passes") }
    #expect(figures["bad"]?.int64Value == 3 && figures["of"]?.int64Value == 470)
    #expect(figures["limit"]?.stringValue == "0.04" && (figures["upper_bound"]?.doubleValue ?? 1) < 0.04)
    // 16 of 470 are 3.4 %, below the limit; but the bound is not.
    #expect(Self.isFailure(Self.verdict(Self.evidence(optedOut: 16))))
    // The highest count that passes.
    let most = (0...50).last { Self.isPass(Self.verdict(Self.evidence(optedOut: $0))) }
    #expect(most == 11)
  }

  @Test func `counts each failure where it belongs`() {
    // Meta's own choices are nobody's fault.
    #expect(Self.isPass(Self.verdict(Self.evidence(delivered: 400, failures: [131_049: 60, 130_472: 30]))))
    #expect(Self.isFailure(Self.verdict(Self.evidence(failures: [132_000: 20]))))
    #expect(Self.isFailure(Self.verdict(Self.evidence(failures: [131_050: 20]))))
    #expect(Self.isFailure(Self.verdict(Self.evidence(failures: [131_048: 20]))))
    // An old list has its own limit.
    #expect(Self.isFailure(Self.verdict(Self.evidence(delivered: 400, failures: [131_026: 90]))))
  }

  @Test func `takes no silence for a good sign`() {
    // Few outcomes, or some held by Meta: it waits on, a day at most.
    for silent in [Self.evidence(delivered: 200, optedOut: 0, failures: [:]), Self.evidence(held: 3)] {
      #expect(Self.verdict(silent) == .waits(until: Self.sentAt + .seconds(3600)))
      #expect(Self.verdict(silent, after: .seconds(86_000)) == .waits(until: Self.sentAt + .seconds(86_400)))
      #expect(Self.isFailure(Self.verdict(silent, after: .seconds(86_400))))
    }
    // Whoever gave no outcome is not counted as good.
    #expect(Self.isFailure(Self.verdict(Self.evidence(delivered: 260, optedOut: 6, failures: [:]))))
  }

  @Test func `has steps of N, 4 N, 16 N and the rest`() {
    let steps = (1...12_000).map { CampaignSpec.Guarding.step(of: $0, size: 500) }
    #expect((1...4).map { step in steps.count { $0 == step } } == [500, 2000, 8000, 1500])
    #expect(steps == steps.sorted())
  }

  @Test func `is written as a number, in full, or not at all`() throws {
    func read(_ text: String) throws -> CampaignSpec.Guarding.PilotChoice {
      let spec = """
        {"name": "a", "from": "1", "template": {"name": "t", "language": "ar"}, "audience": {"id": "1"}, "guard": {"pilot": \(text)}}
        """
      let read = try CampaignSpec(json: try JSONValue(parsing: Array(spec.utf8)))
      #expect(try CampaignSpec(json: read.json).guarding == read.guarding, "reads back")
      return read.guarding.pilot
    }
    var small = CampaignSpec.Guarding.Pilot()
    small.size = 200
    #expect(try read("200") == .always(small))
    small.wait = .seconds(5400)
    small.maxBad = Amount(billionths: 30_000_000)
    #expect(try read(#"{"size": 200, "wait": "PT1H30M", "max_bad": 0.03}"#) == .always(small))
    #expect(try read(#"{"size": 200, "wait": "90m", "max_bad": 0.03}"#) == .always(small))
    #expect(try read("false") == .never && read(#""auto""#) == .unlessKnown)
    for (wrong, field) in [
      ("10", "guard.pilot"), ("true", "guard.pilot"), (#"{"size": 500, "wait": "soon"}"#, "guard.pilot.wait"),
      (#"{"wait": "PT30M1H"}"#, "guard.pilot.wait"), (#"{"confidence": 1}"#, "guard.pilot.confidence"),
      (#"{"people": 1}"#, "guard.pilot.people"),
    ] {
      let error = #expect(throws: Problem.self) { try read(wrong) }
      #expect(error?.field == field)
    }
  }
}
