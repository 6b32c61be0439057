// The scripted session of Jedis; see README.md beside this folder.
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.JedisClientConfig;
import redis.clients.jedis.RedisProtocol;
import redis.clients.jedis.commands.ProtocolCommand;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.util.SafeEncoder;

public class Session {
  static Object send(Jedis jedis, String name, String... args) {
    ProtocolCommand command = () -> SafeEncoder.encode(name);
    return jedis.sendCommand(command, args);
  }

  static String text(Object bytes) {
    return new String((byte[]) bytes, StandardCharsets.UTF_8);
  }

  static void check(boolean ok, Object what) {
    if (!ok) {
      throw new AssertionError(String.valueOf(what));
    }
  }

  static void expectError(Runnable call, String start) {
    try {
      call.run();
    } catch (JedisDataException error) {
      check(error.getMessage().startsWith(start), error.getMessage());
      return;
    }
    throw new AssertionError("no error that starts with " + start);
  }

  // Ids, then scores, of a list WITHSCORES: flat in RESP2, nested in RESP3.
  static void readBest(List<?> answer, int protocol, List<String> ids, List<Double> scores) {
    if (protocol == 3) {
      for (Object pair : answer) {
        ids.add(text(((List<?>) pair).get(0)));
        scores.add((Double) ((List<?>) pair).get(1));
      }
      return;
    }
    for (int at = 0; at < answer.size(); at += 2) {
      ids.add(text(answer.get(at)));
      scores.add(Double.parseDouble(text(answer.get(at + 1))));
    }
  }

  static void run(Jedis jedis, String key, int protocol) {
    check(jedis.ping().equals("PONG"), "ping");
    byte[] value = {0, (byte) 255, 13, 10, 65};
    byte[] name = SafeEncoder.encode(key + ":text");
    check(jedis.set(name, value).equals("OK"), "set");
    check(java.util.Arrays.equals(jedis.get(name), value), "get");
    check(jedis.get("missing") == null, "a missing key");

    String shop = key + ":shop";
    send(jedis, "RECO.CREATE", shop, "DIM", "8");
    long last = 0;
    for (int n = 0; n < 40; n++) {
      long number = (Long) send(jedis, "RECO.ADD", shop, "u" + n % 8, "i" + n * 3 % 10);
      check(number > last, number + " after " + last);
      last = number;
    }
    send(jedis, "RECO.RETRAIN", shop, "SYNC");
    List<String> ids = new ArrayList<>();
    List<Double> scores = new ArrayList<>();
    Object answer = send(jedis, "RECO.TOPK", shop, "u1", "COUNT", "3", "WITHSCORES");
    readBest((List<?>) answer, protocol, ids, scores);
    check(ids.size() == 3 && scores.get(0) >= scores.get(1) && scores.get(1) >= scores.get(2),
        scores);
    for (Object item : (List<?>) send(jedis, "RECO.HISTORY", shop, "u1", "COUNT", "100")) {
      check(!ids.contains(text(item)), text(item) + " was seen");
    }

    expectError(() -> send(jedis, "GET"), "ERR wrong number of arguments for 'get' command");
    expectError(() -> send(jedis, "RECO.ADD", key + ":text", "u", "i"), "WRONGTYPE ");
    expectError(() -> send(jedis, "RECO.ADD", shop, "u", "i", "nan"), "ERR ");
    check((Long) send(jedis, "RECO.ADD", shop, "u1", "i1") == last + 1, "the next number");
  }

  public static void main(String[] args) {
    int protocol = Integer.parseInt(System.getenv("RESP"));
    String password = System.getenv("PASSWORD");
    JedisClientConfig config = DefaultJedisClientConfig.builder()
        .protocol(protocol == 3 ? RedisProtocol.RESP3 : RedisProtocol.RESP2)
        .password(password.isEmpty() ? null : password)
        .clientName("java-session")
        .build();
    HostAndPort address =
        new HostAndPort("127.0.0.1", Integer.parseInt(System.getenv("PORT")));
    try (Jedis jedis = new Jedis(address, config)) {
      run(jedis, System.getenv("KEY"), protocol);
    }
    System.out.println("Jedis 5.2.0, RESP" + protocol + ": passed");
  }
}
