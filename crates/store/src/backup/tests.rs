mod content;
mod damage;
mod golden;
