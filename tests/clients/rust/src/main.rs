//! The scripted session of the redis crate; see README.md beside this folder.
use redis::{Commands, Connection, RedisError, RedisResult, Value};
use std::env;

fn reco<T: redis::FromRedisValue>(connection: &mut Connection, words: &[&str]) -> RedisResult<T> {
    let mut command = redis::cmd(words[0]);
    for word in &words[1..] {
        command.arg(*word);
    }
    command.query(connection)
}

fn expect_error(result: RedisResult<Value>, code: &str, detail: &str) {
    let error = result.expect_err("an error was due");
    assert_eq!(error.code(), Some(code), "{error}");
    assert!(error.detail().unwrap_or("").starts_with(detail), "{error}");
}

/// Ids and scores of a list WITHSCORES: flat in RESP2, nested in RESP3.
fn best(connection: &mut Connection, shop: &str, resp3: bool) -> RedisResult<Vec<(String, f64)>> {
    let answer: Value = reco(connection, &["RECO.TOPK", shop, "u1", "COUNT", "3", "WITHSCORES"])?;
    if resp3 {
        let Value::Array(pairs) = &answer else { panic!("{answer:?}") };
        for pair in pairs {
            let Value::Array(pair) = pair else { panic!("{pair:?}") };
            assert!(matches!(pair[1], Value::Double(_)), "{pair:?}");
        }
    }
    redis::from_owned_redis_value(answer)
}

fn main() -> Result<(), RedisError> {
    let resp = env::var("RESP").unwrap();
    let key = env::var("KEY").unwrap();
    let password = env::var("PASSWORD").unwrap().replace(' ', "%20");
    let login = if password.is_empty() { String::new() } else { format!(":{password}@") };
    let port = env::var("PORT").unwrap();
    let url = format!("redis://{login}127.0.0.1:{port}/0?protocol=resp{resp}");
    let mut connection = redis::Client::open(url)?.get_connection()?;

    assert_eq!(reco::<String>(&mut connection, &["PING"])?, "PONG");
    let text = format!("{key}:text");
    let value = b"\x00\xff\r\n text".to_vec();
    let _: () = connection.set(&text, &value)?;
    assert_eq!(connection.get::<_, Vec<u8>>(&text)?, value);
    assert_eq!(connection.get::<_, Option<String>>("missing")?, None);

    let shop = format!("{key}:shop");
    let _: () = reco(&mut connection, &["RECO.CREATE", &shop, "DIM", "8"])?;
    let mut pipe = redis::pipe();
    for n in 0..40 {
        pipe.cmd("RECO.ADD").arg(&shop).arg(format!("u{}", n % 8)).arg(format!("i{}", n * 3 % 10));
    }
    let numbers: Vec<i64> = pipe.query(&mut connection)?;
    assert!(numbers.len() == 40 && numbers.windows(2).all(|w| w[0] < w[1]), "{numbers:?}");
    let _: Value = reco(&mut connection, &["RECO.RETRAIN", &shop, "SYNC"])?;
    let list = best(&mut connection, &shop, resp == "3")?;
    assert_eq!(list.len(), 3);
    assert!(list.windows(2).all(|w| w[0].1 >= w[1].1), "{list:?}");
    let seen: Vec<String> = reco(&mut connection, &["RECO.HISTORY", &shop, "u1", "COUNT", "100"])?;
    assert!(list.iter().all(|(item, _)| !seen.contains(item)), "{list:?} {seen:?}");

    let arity = "wrong number of arguments for 'get' command";
    expect_error(reco(&mut connection, &["GET"]), "ERR", arity);
    expect_error(reco(&mut connection, &["RECO.ADD", &text, "u", "i"]), "WRONGTYPE", "Operation");
    expect_error(reco(&mut connection, &["RECO.ADD", &shop, "u", "i", "nan"]), "ERR", "");
    let next: i64 = reco(&mut connection, &["RECO.ADD", &shop, "u1", "i1"])?;
    assert_eq!(next, numbers[39] + 1);
    println!("redis-rs 0.27.6, RESP{resp}: passed");
    Ok(())
}
