import Domain
import Glibc
import Postgres
import Reactor
import Testing

@Suite struct `A private cluster` {
  @Test func `keeps what was committed through a crash`() async throws {
    try await withCluster(["fsync": "on"]) { cluster in
      let c = connection(cluster.url)
      try await c.script("create table t(id int8); insert into t values (1)")
      try await blocking { try cluster.restart(immediate: true) }
      #expect(try await c.run("select count(*) from t")[0].int64(0) == 1)
      await c.close()
    }
  }

  @Test func `stops with its owner, however that ends, and is there for the next`() async throws {
    let directory = "/tmp/qafila-test-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
    await #expect(processExitsWith: .signal(SIGKILL)) { [directory = directory as String] in
      let cluster = try PrivateCluster.start(directory: directory)
      let c = connection(cluster.url)
      try await c.script("create table t(id int8); insert into t values (7)")
      kill(getpid(), SIGKILL)
    }
    let cluster = try await blocking { try PrivateCluster.start(directory: directory) }
    defer { cluster.destroy() }
    let c = connection(cluster.url)
    #expect(try await c.run("select id from t")[0].int64(0) == 7)
    await c.close()
  }

  @Test func `belongs to one owner`() async throws {
    try await withCluster { cluster in
      #expect(throws: ClusterError.inUse(directory: cluster.directory)) {
        try PrivateCluster.start(directory: cluster.directory)
      }
      #expect(!PrivateCluster.remove(directory: cluster.directory))
    }
  }

  @Test func `is not put off by a pid file whose number belongs to another now`() async throws {
    try await withCluster { cluster in
      try await blocking { cluster.stop(mode: .fast) }
      let path = cluster.directory + "/data/postmaster.pid"
      let file = open(path, O_WRONLY | O_CREAT, 0o600)
      let text = "\(getpid())\n\(cluster.directory)/data\n"
      #expect(write(file, text, text.utf8.count) == text.utf8.count)
      close(file)
      // Whoever runs the server must be able to read it.
      #expect(chmod(path, 0o644) == 0)
      try await blocking { try cluster.restart(immediate: false) }
      let c = connection(cluster.url)
      #expect(try await c.run("select 1::int8")[0].int64(0) == 1)
      await c.close()
    }
  }

  @Test func `works in a directory whose name is too long for a socket, and odd`() async throws {
    let parent = "/tmp/qafila-test-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
    let directory = parent + "/" + String(repeating: "long name & more/", count: 6) + "قافلة"
    do {
      let cluster = try await blocking { try PrivateCluster.start(directory: directory, settings: ["fsync": "off"]) }
      defer { cluster.destroy() }
      let other = connection(try cluster.createDatabase("odd \"name' é"))
      #expect(try await other.run("select current_database()")[0].text(0) == "odd \"name' é")
      await other.close()
      #expect(throws: ClusterError.failed("42P04")) { try cluster.createDatabase("qafila") }
    }
    for depth in stride(from: 6, through: 0, by: -1) {
      rmdir(
        parent + (depth == 0 ? "" : "/" + Array(repeating: "long name & more", count: depth).joined(separator: "/")))
    }
    #expect(access(parent, F_OK) != 0)
  }

  @Test func `says what is wrong with its settings`() async throws {
    let directory = "/tmp/qafila-test-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
    #expect {
      try PrivateCluster.start(directory: directory, settings: ["no_such_setting": "1"])
    } throws: { error in
      "\(error)".contains("no_such_setting")
    }
    #expect(PrivateCluster.remove(directory: directory))
  }

  @Test func `never runs as root`() async throws {
    try await withCluster { cluster in
      var status = stat()
      #expect(stat("/proc/\(cluster.processID)", &status) == 0)
      #expect(status.st_uid != 0)
      #expect(status.st_uid == geteuid() || geteuid() == 0)
    }
  }

  @Test(.enabled(if: geteuid() == 0, "only root changes the user"))
  func `says which directory its user may not enter`() {
    let parent = "/tmp/qafila-test-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
    #expect(mkdir(parent, 0o700) == 0)
    #expect {
      try PrivateCluster.start(directory: parent + "/db")
    } throws: { error in
      "\(error)".contains("may not enter \(parent)")
    }
    #expect(PrivateCluster.remove(directory: parent + "/db"))
    #expect(rmdir(parent) == 0)
  }
}
