#![allow(clippy::unwrap_used)]
use kafka_clusters::*;
#[test] fn smoke() { for v in [Version::V39Zk, Version::V43, Version::V39Kraft] { let t=std::time::Instant::now(); let c=Cluster::builder().version(v).start().unwrap(); println!("{v} up {:?} {:?}", t.elapsed(), c.wait_ready()); 
 let t=std::time::Instant::now(); c.tool("kafka-topics",&["--create","--topic","t"]).unwrap(); println!("create {:?}", t.elapsed());
 let t=std::time::Instant::now(); c.broker(1).kill().unwrap();c.broker(1).start().unwrap(); println!("kill/start {:?}", t.elapsed());
 let t=std::time::Instant::now(); c.broker(1).stop().unwrap();println!("stop {:?}", t.elapsed()); let t=std::time::Instant::now();c.broker(1).start().unwrap(); println!("start {:?}", t.elapsed());
 } }
